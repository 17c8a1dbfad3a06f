/**
 * The only file that knows ECharts. The build bundles it into one file, so nothing of ECharts' types or of ours may show
 * in its signature.
 *
 * @module
 */
import { LineChart, ScatterChart } from 'echarts/charts'
import { GraphicComponent, GridComponent, MarkLineComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

use([LineChart, ScatterChart, GridComponent, GraphicComponent, MarkLineComponent, SVGRenderer])

/** Draws an option without a browser; the ids in the result (`zr0-…`) differ from call to call. */
export function drawSvg(option: object, width: number, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  try {
    chart.setOption(option as Parameters<typeof chart.setOption>[0])
    return chart.renderToSVGString()
  } finally {
    chart.dispose()
  }
}
