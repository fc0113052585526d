"""Downloads a model: `python models/download_model.py --model-url URL --output-path PATH`.

The same as `python manage.py download_model`, which has more to offer (see its --help).
"""

import sys
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT_ROOT))
    from manage import main

    sys.argv.insert(1, "download_model")
    main()
