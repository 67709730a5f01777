"""Containers: the one hardening list, what may be launched, and the gates in front of the engine's socket.

The threat: whoever can write Dagster's database, or has taken over the webserver or the daemon, can ask the engine
for containers, and the engine does anything for anybody who reaches its socket. What holds then:

* the launcher takes image and flags from two fixed profiles, never from the record of a run;
* only the gates reach the socket; they make the body of every container anew from the same profiles, so that the
  caller chooses nothing but which of the two, and which run;
* the webserver's gate can look at and stop run containers of this project, and no more.

What is accepted: a permitted container can run any code of the image, as either of the two profiles.
"""
