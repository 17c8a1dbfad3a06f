/**
 * ECharts in the page: only what the panels draw with.
 *
 * @module
 */
import { LineChart, ScatterChart } from 'echarts/charts'
import { GraphicComponent, GridComponent, MarkLineComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

use([LineChart, ScatterChart, GridComponent, GraphicComponent, MarkLineComponent, CanvasRenderer])

/** A canvas that draws options. */
export interface Canvas {
  /** Draws an option in place of the one before. */
  draw(option: object, width: number, height: number): void
}

/** Makes a canvas in an element. ECharts' SVG renderer would set `style` attributes, which the page's policy forbids. */
export function createCanvas(element: HTMLElement): Canvas {
  let chart: ReturnType<typeof init> | null = null
  return {
    draw(option, width, height) {
      chart ??= init(element, null, {
        renderer: 'canvas',
        width,
        height,
        // Sharp in print, too.
        devicePixelRatio: Math.max(2, window.devicePixelRatio),
      })
      if (chart.getWidth() !== width || chart.getHeight() !== height) chart.resize({ width, height })
      chart.setOption(option as Parameters<typeof chart.setOption>[0], { notMerge: true, silent: true })
    },
  }
}
