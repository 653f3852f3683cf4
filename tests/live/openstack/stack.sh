#!/usr/bin/env bash
# A real OpenStack on loopback: the upstream Keystone, Neutron and Nova APIs on SQLite, without docker
# and hypervisor.
#
#   stack.sh install             install the services into $OSVENV (minutes, 550 MB); fails where it cannot
#   stack.sh up DIR              make databases (first time), start the APIs on 127.0.0.1; writes DIR/env.json
#   stack.sh neutron DIR NAME PORT PAGE_MAX    start one more Neutron API over the same database
#   stack.sh stop DIR NAME       stop the API of that name
#   stack.sh down DIR            stop every API that was started in DIR, by its pid
#   stack.sh servers DIR PROJECT UUID...       insert server records in state ACTIVE
#
# Variables, all optional:
#   OSVENV=DIR/venv              virtual environment of the services; several stacks can share one
#   PYTHON=python3               what it is made with
#   KS_PORT=15000 NT_PORT=19696 NV_PORT=18774
#   PAGED_PORT=0                 a second Neutron API (region RegionPaged): pages end after PAGED_MAX=2 rows
#   YOUNG_PORT=0                 port that region RegionYoung names; `neutron` starts an API there
#   PAGE_MAX=-1                  pagination_max_limit of the first Neutron API: -1 is none
#   SG_QUOTA=10000 RULE_QUOTA=100000 PORT_QUOTA=10000
#   SERVICE_PLUGINS= NEUTRON_MORE=FILE         plugins of `neutron`, and what is added to its configuration
#   NEUTRON_APP=neutron.wsgi.api:application   what `neutron` serves
# Two stacks at once need other ports and folders. Python 3.10 or newer; some versions need a C compiler.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CMD=${1:?install, up, neutron, stop, down or servers}
shift
if [ "$CMD" != install ]; then
  mkdir -p "${1:?DIR}"
  D=$(cd "$1" && pwd)
  shift
fi
V=${OSVENV:-${D:-.}/venv}
PYTHON=${PYTHON:-python3}
KS_PORT=${KS_PORT:-15000} NT_PORT=${NT_PORT:-19696} NV_PORT=${NV_PORT:-18774}
PAGED_PORT=${PAGED_PORT:-0} PAGED_MAX=${PAGED_MAX:-2} YOUNG_PORT=${YOUNG_PORT:-0}
PAGE_MAX=${PAGE_MAX:--1}
SG_QUOTA=${SG_QUOTA:-10000} RULE_QUOTA=${RULE_QUOTA:-100000} PORT_QUOTA=${PORT_QUOTA:-10000}

install() {
  if [ ! -e "$V/.ready" ]; then
    "$PYTHON" -m venv --clear "$V"
    "$V/bin/python" -m pip install -q --disable-pip-version-check -c "$HERE/constraints.txt" \
      keystone==30.0.0 neutron==29.0.0 nova==34.0.0
    touch "$V/.ready"
  fi
  # What builds the plugin for Neutron; older ones cannot build a wheel by themselves.
  [ -e "$V/.ready-build" ] && return
  "$V/bin/python" -m pip install -q --disable-pip-version-check "setuptools>=70.1,<81"
  touch "$V/.ready-build"
}

# -- configuration --------------------------------------------------------------------------------

identity_of() { # NAME: as which user a service asks Keystone
  cat <<EOF
auth_url = http://127.0.0.1:$KS_PORT/v3
auth_type = password
project_domain_id = default
user_domain_id = default
project_name = service
username = $1
password = svcpw
EOF
}

authtoken() { # NAME TYPE
  cat <<EOF
[keystone_authtoken]
www_authenticate_uri = http://127.0.0.1:$KS_PORT/v3
service_token_roles = service
service_token_roles_required = true
service_type = $2
$(identity_of "$1")
EOF
}

keystone_conf() {
  # Passwords are hashed in few rounds: a run asks for hundreds of tokens.
  cat <<EOF
[DEFAULT]
use_stderr = true
[database]
connection = sqlite:///$D/keystone.db
[identity]
password_hash_rounds = 4
[token]
provider = fernet
[fernet_tokens]
key_repository = $D/fernet
[fernet_receipts]
key_repository = $D/receipts
[credential]
key_repository = $D/cred
EOF
}

neutron_conf() { # PAGE_MAX
  cat <<EOF
[DEFAULT]
core_plugin = ml2
service_plugins = ${SERVICE_PLUGINS:-}
auth_strategy = keystone
transport_url = fake://
state_path = $D/state
api_paste_config = $V/etc/neutron/api-paste.ini
dhcp_agent_notification = False
notify_nova_on_port_status_changes = False
notify_nova_on_port_data_changes = False
pagination_max_limit = $1
[database]
connection = sqlite:///$D/neutron.db
$(authtoken neutron network)
[oslo_concurrency]
lock_path = $D/lock
[oslo_messaging_notifications]
driver = noop
[quotas]
quota_security_group = $SG_QUOTA
quota_security_group_rule = $RULE_QUOTA
quota_port = $PORT_QUOTA
quota_rbac_policy = -1
[ml2]
type_drivers = local,flat,vlan,vxlan
tenant_network_types = local
mechanism_drivers = logger
extension_drivers = port_security
[securitygroup]
enable_security_group = True
EOF
  cat "${NEUTRON_MORE:-/dev/null}"
}

nova_conf() {
  cat <<EOF
[DEFAULT]
transport_url = fake://
state_path = $D/state
compute_driver = fake.FakeDriver
[api]
auth_strategy = keystone
[api_database]
connection = sqlite:///$D/nova_api.db
[database]
connection = sqlite:///$D/nova.db
$(authtoken nova compute)
[neutron]
$(identity_of nova)
region_name = RegionOne
[oslo_concurrency]
lock_path = $D/lock
[oslo_messaging_notifications]
driver = noop
EOF
}

# -- databases ------------------------------------------------------------------------------------

keystone_db() {
  [ -f "$D/keystone.db" ] && return
  local manage=("$V/bin/keystone-manage" --config-file "$D/keystone.conf")
  local url=http://127.0.0.1:$KS_PORT/v3
  "${manage[@]}" db_sync
  "${manage[@]}" fernet_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)"
  "${manage[@]}" credential_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)"
  "${manage[@]}" bootstrap --bootstrap-password adminpw --bootstrap-admin-url "$url" \
    --bootstrap-internal-url "$url" --bootstrap-public-url "$url" --bootstrap-region-id RegionOne
}

neutron_db() {
  [ -f "$D/neutron.db" ] && return
  "$V/bin/python" -W ignore "$HERE/services/neutron_schema.py" "sqlite:///$D/neutron.db"
}

nova_db() {
  [ -f "$D/nova_api.db" ] && return
  local manage=("$V/bin/nova-manage" --config-file "$D/nova.conf")
  "${manage[@]}" api_db sync
  "${manage[@]}" cell_v2 map_cell0 --database_connection "sqlite:///$D/nova_cell0.db"
  "${manage[@]}" cell_v2 create_cell --name cell1 --transport-url fake:// \
    --database_connection "sqlite:///$D/nova.db"
  "${manage[@]}" db sync
}

# -- processes ------------------------------------------------------------------------------------

serve() { # NAME PORT TARGET VARIABLE=VALUE...
  local name=$1 port=$2 target=$3
  shift 3
  env "$@" setsid "$V/bin/python" -W ignore "$HERE/services/serve.py" "$port" "$target" \
    >"$D/$name.log" 2>&1 </dev/null &
  echo $! >"$D/$name.pid"
}

await() { # NAME
  local pid
  pid=$(cat "$D/$1.pid")
  for _ in $(seq 1 1200); do
    grep -q "^ready" "$D/$1.log" 2>/dev/null && return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "$1 did not start:" >&2
  tail -20 "$D/$1.log" >&2
  return 1
}

serve_neutron() { # NAME PORT PAGE_MAX
  mkdir -p "$D/$1"
  neutron_conf "$3" >"$D/$1/neutron.conf"
  serve "$1" "$2" "${NEUTRON_APP:-neutron.wsgi.api:application}" OS_NEUTRON_CONFIG_DIR="$D/$1" \
    OS_NEUTRON_CONFIG_FILES=neutron.conf
}

stop() { # NAME
  [ -f "$D/$1.pid" ] || return 0
  local pid
  pid=$(cat "$D/$1.pid")
  rm -f "$D/$1.pid"
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 1 100); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid"
}

up() {
  mkdir -p "$D"/{fernet,receipts,cred,state,lock,keystone}
  chmod 700 "$D"/{fernet,receipts,cred}
  keystone_conf >"$D/keystone.conf"
  nova_conf >"$D/nova.conf"
  # The databases are made side by side; most of the time is the import of the services.
  local job jobs=()
  for job in keystone_db neutron_db nova_db; do
    "$job" >"$D/$job.log" 2>&1 &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do
    wait "$job" || { tail -20 "$D"/*_db.log >&2; return 1; }
  done
  serve keystone "$KS_PORT" keystone.wsgi.api:application OS_KEYSTONE_CONFIG_DIR="$D" \
    OS_KEYSTONE_CONFIG_FILES="$D/keystone.conf"
  serve_neutron neutron "$NT_PORT" "$PAGE_MAX"
  [ "$PAGED_PORT" = 0 ] || serve_neutron paged "$PAGED_PORT" "$PAGED_MAX"
  serve nova "$NV_PORT" nova.wsgi.osapi_compute:application \
    OS_NOVA_CONFIG_FILES="$V/etc/nova/api-paste.ini;$D/nova.conf"
  await keystone
  [ -f "$D/env.json" ] || "$V/bin/python" "$HERE/services/provision.py" "$KS_PORT" "$NV_PORT" \
    "$D/env.json" "RegionOne=$NT_PORT" "RegionPaged=$PAGED_PORT" "RegionYoung=$YOUNG_PORT"
  await neutron
  [ "$PAGED_PORT" = 0 ] || await paged
  await nova
  echo "up: $D/env.json"
}

down() {
  local file name
  for file in "$D"/*.pid; do
    [ -e "$file" ] || continue
    name=$(basename "$file" .pid)
    stop "$name"
    echo "stopped $name"
  done
}

case "$CMD" in
  install) install ;;
  up)
    install
    up
    ;;
  neutron)
    serve_neutron "$1" "$2" "$3"
    await "$1"
    ;;
  stop) stop "$1" ;;
  down) down ;;
  servers)
    "$V/bin/python" -W ignore "$HERE/services/servers.py" "$D/nova.conf" "$D/env.json" "$@"
    ;;
  *)
    echo "unknown command: $CMD" >&2
    exit 2
    ;;
esac
