"""What a rule is: its model, and below it the language, the files, the evaluator and the library."""
