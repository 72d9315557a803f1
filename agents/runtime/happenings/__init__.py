"""What happens next: the queue of events, ticks and rounds, in simulated time or paced by a real clock."""
