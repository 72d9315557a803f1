"""What a run came to, as tables on the terminal."""
