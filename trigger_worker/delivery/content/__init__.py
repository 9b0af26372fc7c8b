"""What a message says: template files, the facts they may use, and what comes out of them."""
