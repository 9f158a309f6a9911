"""The panel's sections: one small class each, with the .ui file of the same name."""
