"""Children that look at hostile files, so that a crash, a hang or a bomb costs one row and nothing else.

    pool      in the caller's process: gives every child a file and those after it, in whatever order answers are wanted
    pace      how many files a child has in advance, and how long the caller's process may sleep
    slot      one child, as the caller's process sees it: keeps the clock, replaces the dead, knows which file was guilty
    nursery   a process that has imported everything, has seen no hostile byte, and forks the children
    child     what a child does to itself before it opens anything: limits, silence, dying with its parent
    work      what a child can be asked for: verify a file, mark a file

Requests and answers are lines of JSON (`aikz_label.sandbox.wire`): no file content, no pickle and no key crosses the pipe.
"""
