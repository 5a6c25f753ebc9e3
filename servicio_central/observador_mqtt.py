"""El certificado de sólo lectura: con él, `mosquitto_sub` enseña a secas lo mismo que ve la sala de operación."""

from __future__ import annotations

from pathlib import Path

from nucleo.temas import USUARIO_OBSERVADOR
from servicio_central import ajustes, broker, certificados, disco, inscripcion
from servicio_central.tropiezo import Tropiezo


def inscribir(autoridad: Path, centro: Path, carpeta: Path) -> None:
    """Deja en la carpeta `ca.pem`, `tls.pem` y `tls.key`, y vuelve a escribir la lista de acceso del bróker.

    Raises:
        Tropiezo: YA_EXISTE, si la carpeta ya tiene llave; o si falta la autoridad, el centro o su bróker.
    """
    if (carpeta / "tls.key").exists():
        raise Tropiezo(
            "YA_EXISTE",
            f"{carpeta / 'tls.key'} ya existe y no se sobrescribe",
            "el observador ya se había inscrito ahí",
            "use ese certificado, o indique otra carpeta",
        )
    ca, donde = inscripcion.abrir_autoridad(autoridad), ajustes.leer(centro)
    # Quien inscribió el bróker con una versión anterior no tiene al observador en su lista de acceso.
    broker.escribir_configuracion(centro / ajustes.BROKER, donde, inscripcion.leer_padron(centro).proceso)
    llave = certificados.llave_nueva()
    certificado = ca.emitir_cliente(USUARIO_OBSERVADOR, llave.public_key())
    disco.carpeta_privada(carpeta)
    inscripcion.copiar(autoridad, carpeta, "ca.pem")
    disco.escribir(carpeta / "tls.pem", inscripcion.pem(certificado))
    # Primero lo emitido queda anotado: sin su serie no se podría revocar.
    inscripcion.anotar_emitido(autoridad, USUARIO_OBSERVADOR, certificado)
    disco.crear(carpeta / "tls.key", certificados.pem_privado(llave))
