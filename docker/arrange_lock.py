"""Put a lock into two parts: what the product needs, a line that says so, and what only its development needs.

The image takes the first part (see the Dockerfile), everything else reads the whole file.

    python docker/arrange_lock.py WHOLE RUNTIME >requirements.lock
"""

import sys
from pathlib import Path

MARK = "# Only for development and tests:"


def entries(text: str) -> list[str]:
    """The requirements of a lock, each with its lines of hashes."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith(("#", "-")) or not line.strip():
            continue
        if line[0].isspace():
            found[-1] += "\n" + line
        else:
            found.append(line)
    return found


def arrange(whole: str, runtime: str) -> str:
    """Both parts in one text.

    Raises:
        SystemExit: The runtime lock holds something that the whole one does not.
    """
    everything = entries(whole)
    # By name and version: development may need a package on more platforms, so that its marker is another.
    needed = {entry.split()[0] for entry in entries(runtime)}
    if strange := needed - {entry.split()[0] for entry in everything}:
        raise SystemExit(f"not in the whole lock: {', '.join(sorted(strange))}")
    parts = ([entry for entry in everything if (entry.split()[0] in needed) is part] for part in (True, False))
    first, second = ("\n".join(part) for part in parts)
    return f"{first}\n{MARK}\n{second}\n"


if __name__ == "__main__":
    sys.stdout.write(arrange(*(Path(name).read_text(encoding="utf-8") for name in sys.argv[1:3])))
