"""`python run.py module [program ...]`: what the programs of a module tell, as JSON."""

from recording import main

if __name__ == "__main__":
    main()
