"""Settings of nbgrader for this course; `cnnlab build` and `cnnlab grade` read them too."""

c = get_config()  # noqa: F821  nbgrader defines it when it reads this file

c.CourseDirectory.course_id = "cnnlab"

# What a student finds in the place of a solution. It stops with a sentence, not with a riddle.
c.ClearSolutions.code_stub = {
    "python": (
        "# Write your code here, in place of the next line.\n"
        'raise NotImplementedError("Write your code in this function, then run its cell again.")'
    )
}

# And in the place of an answer in words.
c.ClearSolutions.text_stub = "*Write your answer here, in place of this line.*"
