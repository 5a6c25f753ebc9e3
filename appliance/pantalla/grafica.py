"""La gráfica de avance por hora, dibujada en el servidor: barras con su número escrito, que no dependen del color."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.tablero import Hora

ANCHO = 460
ALTO = 190
_ABAJO = 26
_ARRIBA = 20

_RAYAS = (
    '<defs><pattern id="rayas" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#fff"/><rect width="3" height="6" fill="#77736a"/></pattern></defs>'
)


def avance_por_hora(horas: Sequence[Hora]) -> str:
    """SVG con dos barras por hora: acopiadas (rayada) y verificadas (llena). Vacío si aún no hay nada.

    Sólo lleva números y horas nuestras: nada que escapar.
    """
    if not horas:
        return ""
    tope = max([1, *(h.acopiadas for h in horas), *(h.verificadas for h in horas)])
    paso = ANCHO / len(horas)
    barra = min(26.0, paso * 0.4)
    partes = []
    for numero, hora in enumerate(horas):
        centro = paso * (numero + 0.5)
        partes.append(_barra(centro - barra, barra, hora.acopiadas, tope, "url(#rayas)"))
        partes.append(_barra(centro, barra, hora.verificadas, tope, "#0b3d91"))
        partes.append(f'<text x="{centro:.0f}" y="{ALTO - 8}" text-anchor="middle">{hora.inicio:%H}h</text>')
    dicho = "; ".join(f"{h.inicio:%H} h: {h.acopiadas} acopiadas, {h.verificadas} verificadas" for h in horas)
    suelo = ALTO - _ABAJO
    return (
        f'<svg class="avance-por-hora" viewBox="0 0 {ANCHO} {ALTO}" role="img" aria-label="Avance por hora. {dicho}">'
        f'{_RAYAS}<line x1="0" y1="{suelo}" x2="{ANCHO}" y2="{suelo}" stroke="#111" stroke-width="2"/>'
        f"{''.join(partes)}</svg>"
    )


def _barra(x: float, ancho: float, cuantas: int, tope: int, relleno: str) -> str:
    if not cuantas:
        return ""
    alto = (ALTO - _ABAJO - _ARRIBA) * cuantas / tope
    arriba = ALTO - _ABAJO - alto
    medidas = f'x="{x:.1f}" y="{arriba:.1f}" width="{ancho:.1f}" height="{alto:.1f}"'
    numero = f'<text x="{x + ancho / 2:.1f}" y="{arriba - 4:.1f}" text-anchor="middle">{cuantas}</text>'
    return f'<rect {medidas} fill="{relleno}" stroke="#111" stroke-width="1"/>{numero}'
