"""nvrtc.py LIBNVRTC SOURCE OUTPUT OPTION...: compiles CUDA C++ to a cubin. NVRTC is a library; this is its command.

Run where SOURCE and the include folders of the options are relative paths, so that messages and bytes do not depend on
the clone's place."""
import ctypes
import sys

library, source, output, *options = sys.argv[1:]
nvrtc = ctypes.CDLL(library)


def call(name, *arguments):
    status = getattr(nvrtc, name)(*arguments)
    if status != 0:
        nvrtc.nvrtcGetErrorString.restype = ctypes.c_char_p
        sys.exit(f"{source}: {name}: {nvrtc.nvrtcGetErrorString(status).decode()}")


def text_of(program, kind):
    size = ctypes.c_size_t()
    call(f"nvrtcGet{kind}Size", program, ctypes.byref(size))
    content = ctypes.create_string_buffer(size.value)
    call(f"nvrtcGet{kind}", program, content)
    return content.raw


def compile_program():
    program = ctypes.c_void_p()
    with open(source, "rb") as file:
        call("nvrtcCreateProgram", ctypes.byref(program), file.read(), source.encode(), 0, None, None)
    encoded = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
    status = nvrtc.nvrtcCompileProgram(program, len(options), encoded)
    sys.stderr.write(text_of(program, "ProgramLog").rstrip(b"\0").decode())
    if status != 0:
        sys.exit(1)
    return text_of(program, "CUBIN")


cubin = compile_program()
with open(output, "wb") as file:
    file.write(cubin)
