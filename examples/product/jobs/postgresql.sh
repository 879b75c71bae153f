# What the jobs of PostgreSQL have in common; they read it with `.`.

state=$(cd "$(dirname "$0")/../state" && pwd)
home=$state/postgresql
data=$home/data

# Debian keeps the servers of all versions beside each other, and none of them in PATH. Data want the version that made them; without
# data the newest is taken.
made_by=$(cat "$data/PG_VERSION" 2>/dev/null || :)
newest=$(ls -d /usr/lib/postgresql/${made_by:-*}/bin 2>/dev/null | sort -V | tail -n 1)
PATH=$PATH${newest:+:$newest}

# PostgreSQL refuses to run as root, and its package brings an account for it. Any other user stays who it is.
account= as_account=
if [ "$(id -u)" = 0 ]; then
  account=postgres
  as_account="setpriv --reuid=$account --regid=$account --init-groups --"
fi

# Ends with a reason that no further attempt can mend: `restart_prevent=3`.
give_up() {
  printf '%s\n' "$*" >&2
  exit 3
}

# Why PostgreSQL cannot run here; nothing if it can.
why_not() {
  for program in initdb postgres psql; do
    command -v "$program" >/dev/null || { echo "PostgreSQL is not installed: there is no $program (Debian: postgresql)"; return; }
  done
  if [ -n "$account" ]; then
    id -u "$account" >/dev/null 2>&1 || { echo "PostgreSQL does not run as root, and there is no account $account"; return; }
    $as_account test -x "$state" || echo "the account $account cannot enter $state: let others enter it and what it is in (chmod o+x)"
  elif ! id -un >/dev/null 2>&1; then
    echo "user $(id -u) has no name, which PostgreSQL wants: it needs a line in /etc/passwd"
  fi
}

# What belongs to somebody else is not taken from them.
must_be_ours() {
  wanted=$(id -u $account) owner=$(stat -L -c %u "$1")
  [ "$owner" = "$wanted" ] || give_up "$1 belongs to user $owner, and PostgreSQL runs as user $wanted ($(id -un $account)): nothing was" \
    "changed; give it to that user (chown -R $wanted $1), or start the product as the user whose it is"
}
