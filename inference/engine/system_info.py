"""`python -m inference.engine.system_info` prints what the installed build of llama.cpp can use."""

if __name__ == "__main__":
    from inference.engine.engine_info import system_info

    print(system_info())  # noqa: T201
