"""`python -m buttonwood` is the command `buttonwood`."""
from buttonwood.cli import main

raise SystemExit(main())
