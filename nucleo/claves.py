"""El mismo tema, como lo escribe AMQP: RabbitMQ cambia cada `/` por un punto y `+` por `*`.

Por eso ningún nivel de la gramática de `temas` lleva puntos: la ida y la vuelta no pierden nada.
"""

from __future__ import annotations

from nucleo.temas import USUARIO_CENTRO, Carril, TemaInvalido, ambito_de, filtro_del_centro


def clave_de(tema: str) -> str:
    """Clave de AMQP de un tema o un filtro de MQTT. Raises: TemaInvalido si ya lleva puntos."""
    if "." in tema:
        raise TemaInvalido(f"{tema[:80]!r} lleva puntos: en AMQP sería otro tema")
    return tema.replace("/", ".").replace("+", "*")


def tema_de(clave: str) -> str:
    """Tema de MQTT de una clave de AMQP."""
    return clave.replace(".", "/")


def permisos(ambito: str, usuario: str) -> tuple[str, str]:
    """Expresiones de las claves en que ese usuario escribe y de las que lee, con la gramática de `temas`.

    En la de un kiosco `{username}` lo pone RabbitMQ; los nombres de equipo no tienen nada que escapar.
    """
    modo, _, proceso = ambito.partition("-")
    if ambito_de(modo, proceso) != ambito:
        raise TemaInvalido(f"{ambito[:60]!r} no es un ámbito")
    suben = "|".join(c.value for c in Carril if c.sube)
    bajan = "|".join(c.value for c in Carril if not c.sube)
    quien = "[a-z0-9-]+" if usuario == USUARIO_CENTRO else "{username}"
    sube = rf"^prep\.{ambito}\.{quien}\.sube\.({suben})$"
    baja = rf"^prep\.{ambito}\.{quien}\.baja\.({bajan})$"
    return (baja, sube) if usuario == USUARIO_CENTRO else (sube, baja)


def claves_del_centro(ambito: str) -> list[str]:
    """Con qué claves se ligan las colas del centro: todo lo que sube."""
    return [clave_de(filtro_del_centro(ambito, carril)) for carril in Carril if carril.sube]
