"""ZIP files from strangers, unpacked in a sealed child: nothing of them is believed before it is checked."""
