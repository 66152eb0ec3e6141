"""What runs in, and what is seen from, a student's process; nothing here is imported by the grader."""
