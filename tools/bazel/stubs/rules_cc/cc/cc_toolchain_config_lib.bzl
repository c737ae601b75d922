# Empty: nothing of ours reads it.
