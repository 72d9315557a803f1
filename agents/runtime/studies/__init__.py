"""Where the DSOs' studies are computed: a laboratory beside the agents, in a process of its own in real time."""
