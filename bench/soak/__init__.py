"""What a stranger at the limits of one address costs everybody else: `python -m bench soak`."""
