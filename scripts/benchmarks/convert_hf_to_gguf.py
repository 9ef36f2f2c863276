"""Runs llama.cpp's convert_hf_to_gguf.py on a checkpoint whose tokenizer it does not know.

    convert_hf_to_gguf.py LLAMA_CPP_FOLDER ARGUMENT...

The script refuses a pre-tokenizer whose hash is not in its list, and the tokenizer beside the
synthetic checkpoints is a small one of our own; here the answer is always "gpt-2". Nothing else of
the script changes.
"""
import pathlib
import runpy
import sys


def main():
    source = pathlib.Path(sys.argv[1], "source")
    sys.path[:0] = [str(source), str(source / "gguf-py")]
    from conversion.base import TextModel

    TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
    script = str(source / "convert_hf_to_gguf.py")
    sys.argv = [script, *sys.argv[2:]]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
