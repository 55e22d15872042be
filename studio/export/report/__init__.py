"""What a run was and what came of it, for people: one page of HTML, a PDF, and pictures of its curves."""
