# Sourced by the scripts beside it: the checkout becomes the working directory, its .venv comes first on the PATH.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [[ -x .venv/bin/python ]]; then
    PATH="$PWD/.venv/bin:$PATH"
fi
