"""Who runs a job to its end, whatever becomes of the server? A process of its own beside each job.

These modules are started without the rest of the server (`__main__`), once for each job, so they import little, and
nothing of ours but each other. What the server shares with them is here too: a job's files, the queue, the sandbox.
"""
