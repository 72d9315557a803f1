"""Messages between the agents: delay, loss and order on every link, one by one or in streams of many."""
