"""Why a network answered what it did: which parts of a sample speak for an answer, and which against it."""
