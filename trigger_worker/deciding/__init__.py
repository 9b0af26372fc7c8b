"""Whether a message goes, to whom, by which arm of an experiment, and which message of a firing is next."""
