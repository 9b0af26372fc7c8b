"""The commands of the command line; each module holds the commands of one concern."""
