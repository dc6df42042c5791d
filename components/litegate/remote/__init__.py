"""A step's process on a host that has nothing in common with its caller but the workspace, such as a Kubernetes pod.

The caller sends a `Job` through the workspace. There four parts, each in a container of its own, do the rest:

    stage-in     gets the job and the files that its request names       credentials of the workspace
    data         serves the user's objects while the step runs           credentials of the user's data
    step         runs the step's process, confined, as on any host       none
    stage-out    stores the result, and what it names, in the workspace  credentials of the workspace

The caller then takes what came back, and believes none of it.
"""
