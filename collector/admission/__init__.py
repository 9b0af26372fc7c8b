"""What one sender may have under way, and how large work waits for its turn, so that nobody stops anybody else."""
