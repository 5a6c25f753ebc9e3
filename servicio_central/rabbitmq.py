"""El bróker de varias máquinas: tres nodos de RabbitMQ que sólo atienden a quien trae certificado de la autoridad.

Genera lo que lee cada nodo: `rabbitmq.conf`, `enabled_plugins` y `definitions.json` (usuarios sin contraseña, permisos
por tema y las colas del centro). Lo que sube pasa de `amq.topic` a un intercambio que reparte por clave entre colas de
quórum con un solo consumidor activo: lo de una clave llega en orden, y PUBACK espera a la mayoría de los discos.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nucleo.claves import claves_del_centro, permisos
from nucleo.padron import Padron
from nucleo.temas import USUARIO_CENTRO, ambito_de
from servicio_central import disco, padrones
from servicio_central.broker import MAXIMO_PAQUETE
from servicio_central.tropiezo import Tropiezo

INTERCAMBIO: Final = "amq.topic"
REPARTO: Final = "prep-reparto"
COMPLEMENTOS: Final = ("rabbitmq_mqtt", "rabbitmq_auth_mechanism_ssl", "rabbitmq_consistent_hash_exchange")


@dataclass(frozen=True, slots=True)
class Nodo:
    """Un nodo y dónde escucha. `nombre` es el de Erlang, como `rabbit@n0`."""

    nombre: str
    mqtt: str = "0.0.0.0:8883"
    amqp: str = "0.0.0.0:5671"


def cola(numero: int) -> str:
    """Nombre de una de las colas del centro."""
    return f"prep-{numero}"


def configuracion(nodo: Nodo, todos: Sequence[Nodo], certificados: str) -> str:
    """`rabbitmq.conf` de un nodo.

    Args:
        certificados: carpeta con `ca.pem`, `servidor.pem` y `servidor.key`, como la ve el nodo.
    """
    nodos = "\n".join(f"cluster_formation.classic_config.nodes.{n} = {o.nombre}" for n, o in enumerate(todos, 1))
    return f"""\
# Generado por servicio_central.rabbitmq: no se edita a mano.
listeners.tcp = none
listeners.ssl.1 = {nodo.amqp}
mqtt.listeners.tcp = none
mqtt.listeners.ssl.1 = {nodo.mqtt}
ssl_options.cacertfile = {certificados}/ca.pem
ssl_options.certfile = {certificados}/servidor.pem
ssl_options.keyfile = {certificados}/servidor.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
ssl_options.versions.1 = tlsv1.3
auth_mechanisms.1 = EXTERNAL
ssl_cert_login_from = common_name
mqtt.ssl_cert_login = true
mqtt.ssl_cert_client_id_from = subject_alternative_name
mqtt.ssl_cert_login_san_type = dns
mqtt.allow_anonymous = false
mqtt.exchange = {INTERCAMBIO}
mqtt.prefetch = 100
mqtt.max_packet_size_unauthenticated = 4096
mqtt.max_packet_size_authenticated = {MAXIMO_PAQUETE}
max_message_size = {MAXIMO_PAQUETE}
quorum_queue.continuous_membership_reconciliation.enabled = true
quorum_queue.continuous_membership_reconciliation.target_group_size = {len(todos)}
cluster_partition_handling = pause_minority
cluster_formation.peer_discovery_backend = classic_config
{nodos}
log.file.level = info
"""


def complementos() -> str:
    """`enabled_plugins`, en la forma que Erlang lee."""
    return f"[{','.join(COMPLEMENTOS)}].\n"


def definiciones(equipos: Iterable[str], ambito: str, colas: int) -> dict[str, Any]:
    """`definitions.json`: quién puede qué y por dónde llega al centro.

    Se importa con `rabbitmqctl import_definitions` cuando los nodos ya se juntaron: una cola de quórum que nace antes
    nace con un solo miembro.

    Los usuarios no tienen contraseña (huella vacía): sólo se entra con certificado. Darle de baja a un equipo es quitar
    su usuario.
    """
    usuarios = [*sorted(equipos), USUARIO_CENTRO]
    reparte = {"source": INTERCAMBIO, "vhost": "/", "destination": REPARTO, "destination_type": "exchange"}
    ligas = [{**reparte, "routing_key": clave, "arguments": {}} for clave in claves_del_centro(ambito)]
    recibe = {"source": REPARTO, "vhost": "/", "destination_type": "queue", "arguments": {}}
    # Con la misma clave en todas, el intercambio les da a todas el mismo peso.
    ligas += [{**recibe, "destination": cola(n), "routing_key": "1"} for n in range(colas)]
    argumentos = {
        "x-queue-type": "quorum",
        "x-single-active-consumer": True,
        # La de fábrica (20) tiraría un mensaje que se devuelve mientras el almacén no contesta.
        "x-delivery-limit": -1,
    }
    return {
        "users": [
            {"name": u, "password_hash": "", "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": []}
            for u in usuarios
        ],
        "vhosts": [{"name": "/"}],
        "permissions": [_permiso(u) for u in usuarios],
        "topic_permissions": [_permiso_de_temas(u, ambito) for u in usuarios],
        "exchanges": [
            {
                "name": REPARTO,
                "vhost": "/",
                "type": "x-consistent-hash",
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": {},
            }
        ],
        "queues": [
            {"name": cola(n), "vhost": "/", "durable": True, "auto_delete": False, "arguments": argumentos}
            for n in range(colas)
        ],
        "bindings": ligas,
    }


def _permiso(usuario: str) -> dict[str, str]:
    if usuario == USUARIO_CENTRO:
        # Las colas ya están hechas: sólo las lee, y escribe en el intercambio de los temas.
        escribe = r"^amq\.topic$"
        return {"user": usuario, "vhost": "/", "configure": "^$", "write": escribe, "read": r"^prep-[0-9]+$"}
    sesion = rf"mqtt-subscription-{usuario}qos[01]"
    pasa = rf"^(amq\.topic|{sesion})$"
    return {"user": usuario, "vhost": "/", "configure": f"^{sesion}$", "write": pasa, "read": pasa}


def _permiso_de_temas(usuario: str, ambito: str) -> dict[str, str]:
    escribe, lee = permisos(ambito, usuario)
    return {"user": usuario, "vhost": "/", "exchange": INTERCAMBIO, "write": escribe, "read": lee}


def escribir(carpeta: Path, nodos: Sequence[Nodo], padron: Padron, colas: int, certificados: str) -> None:
    """Escribe en `carpeta/<nodo>/` lo de cada nodo, y las definiciones una vez."""
    vigentes = [nombre for nombre, equipo in padron.equipos.items() if equipo.vigente]
    dato = definiciones(vigentes, ambito_de(padron.modo, padron.proceso), colas)
    disco.escribir(carpeta / "definitions.json", (json.dumps(dato, indent=1) + "\n").encode())
    for nodo in nodos:
        propia = carpeta / nodo.nombre.partition("@")[0]
        propia.mkdir(parents=True, exist_ok=True)
        disco.escribir(propia / "rabbitmq.conf", configuracion(nodo, nodos, certificados).encode())
        disco.escribir(propia / "enabled_plugins", complementos().encode())


def main() -> None:
    """`python -m servicio_central.rabbitmq`: deja en una carpeta lo que el papel `roles/rabbitmq` lleva a cada nodo."""
    lector = argparse.ArgumentParser(prog="python -m servicio_central.rabbitmq", description=main.__doc__)
    lector.add_argument("--centro", type=Path, required=True, help="carpeta del centro: de ahí sale el padrón")
    lector.add_argument("--salida", type=Path, required=True)
    lector.add_argument("--nodos", required=True, help="nombres de Erlang separados por coma, como rabbit@n0")
    lector.add_argument("--colas", type=int, default=4)
    lector.add_argument("--certificados", default="/etc/rabbitmq/prep", help="carpeta de los certificados en el nodo")
    opciones = lector.parse_args()
    nodos = [Nodo(nombre) for nombre in opciones.nodos.split(",")]
    try:
        padron = padrones.mas_nuevo(opciones.centro)
        opciones.salida.mkdir(parents=True, exist_ok=True)
        escribir(opciones.salida, nodos, padron, opciones.colas, opciones.certificados)
    except (Tropiezo, OSError) as error:
        print(f"rabbitmq: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
