"""Whether a message may go out now: one ordered list of checks over every channel, banners included."""
