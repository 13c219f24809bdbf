"""Compile contract.typ to contract.pdf (PDF/A-2b) with the `typst` package."""

from pathlib import Path

import typst

HERE = Path(__file__).parent

if __name__ == "__main__":
    typst.compile(HERE / "contract.typ", output=HERE / "contract.pdf", pdf_standards=["a-2b"])
