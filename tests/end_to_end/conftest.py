def pytest_terminal_summary(terminalreporter):
    """Names what was left out, so that nobody has to count."""
    from test_original_suite import CALIBRATING, NEEDS

    if not CALIBRATING:
        terminalreporter.section("tests of the original's suite that are left out")
        for name, need in NEEDS.items():
            terminalreporter.line(f"{name}: needs {need}")
