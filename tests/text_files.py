"""Short texts of every kind, as their authors write them."""

from __future__ import annotations

SAMPLES: dict[str, str] = {
    "text": "Қымбатты оқырман!\n\nБұл – кәдімгі мәтін. Ол екі абзацтан тұрады.\n\nЕкінші абзац осы.\n",
    "csv": "id,қала,халқы\n1,Астана,1430000\n2,Алматы,2200000\n3,Шымкент,1200000\n4,Ақтөбе,560000\n",
    "tsv": "id\tқала\tхалқы\n1\tАстана\t1430000\n2\tАлматы\t2200000\n3\tШымкент\t1200000\n4\tАқтөбе\t560000\n",
    "markdown": "# Тақырып\n\nМәтін **қалың** әріппен және [сілтемемен](https://example.kz/).\n\n- бір\n- екі\n\n"
    "```python\nprint('сәлем')\n```\n",
    "source": '#!/usr/bin/env python3\n"""Сәлем айтады."""\n\nimport sys\n\n\ndef main() -> int:\n'
    '    print("Сәлем, әлем!")\n    return 0\n\n\nsys.exit(main())\n',
    "yaml": "name: Үлгі\nversion: 2\nsteps:\n  - run: make test\n  - run: make docs\nenvironment:\n  LANG: kk_KZ.UTF-8\n",
    "toml": '[package]\nname = "ulgi"\nversion = "0.1.0"\n\n'
    '[dependencies]\nserde = { version = "1", features = ["derive"] }\n',
    "xml": '<?xml version="1.0" encoding="UTF-8"?>\n<кітап тіл="kk">\n  <тарау н="1">Бірінші тарау</тарау>\n'
    '  <тарау н="2">Екінші тарау</тарау>\n</кітап>\n',
    "html": '<!DOCTYPE html>\n<html lang="kk">\n<head>\n<meta charset="utf-8">\n<title>Бет</title>\n'
    "<style>body { font-family: serif }</style>\n</head>\n<body>\n<h1>Сәлем</h1>\n<p>Бұл – бет.</p>\n</body>\n</html>\n",
    "vtt": "WEBVTT\n\nSTYLE\n::cue { color: yellow }\n\n1\n00:00:01.000 --> 00:00:03.000\nСәлем!\n\n"
    "2\n00:00:04.000 --> 00:00:06.000\nҚош бол!\n",
    "srt": "1\n00:00:01,000 --> 00:00:03,000\nСәлем!\n\n2\n00:00:04,000 --> 00:00:06,500\nҚош бол,\nдосым!\n",
    "json": '{\n  "қала": "Астана",\n  "халқы": 1430000,\n  "аудандар": ["Есіл", "Сарыарқа", "Алматы"]\n}\n',
}
ON_REQUEST = {"csv", "tsv", "json"}
BESIDE = {"srt", "json"}
