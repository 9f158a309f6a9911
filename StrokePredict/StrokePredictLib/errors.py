"""The one family of errors that a user may see."""


class StrokeError(Exception):
    """A user's mistake or a file's fault, told in one line.

    The message says what is wrong, with which file, and what to do. The command line prints it and exits with 2; the
    Slicer module shows it in a message box. Everything else that is raised is a fault of ours.
    """
