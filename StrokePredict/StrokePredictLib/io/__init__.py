"""Files and folders: images, case folders, outputs that are whole or absent."""
