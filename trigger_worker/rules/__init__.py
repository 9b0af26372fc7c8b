"""Rules: the model of a rule, the language, the evaluator, the files and the library of ready rules."""
