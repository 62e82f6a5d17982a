"""Long work beside the doors: a study is asked for, watched, and cancelled, while pages and API go on answering.

    start ──> Job (queued, reading, planning) ──> worker process ──> plans ──> study kept in the asker's store

`desk` keeps who asked for what and how far it is; `worker` is the process that plans, and that a cancel ends.
"""

from planner.jobs.desk import Desk, Job, Patience, Status, desk

__all__ = ["Desk", "Job", "Patience", "Status", "desk"]
