"""What outlives a process: the journal, the write-ahead log, and how an agent is rebuilt from its inputs."""
