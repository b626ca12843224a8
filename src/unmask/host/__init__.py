"""The leaderboard server: accounts, submissions, the queue, the board, its pages and its API."""
