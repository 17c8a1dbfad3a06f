/** Labels of round numbers, all with as many decimals as the finest of them needs. */
export function tickLabels(ticks: readonly number[]): { readonly value: number; readonly label: string }[] {
  const decimals = Math.max(0, ...ticks.map((tick) => (String(tick).split('.')[1] ?? '').length))
  return ticks.map((value) => {
    const digits = Math.abs(value).toLocaleString('en-US', {
      minimumFractionDigits: Math.min(decimals, 12),
      maximumFractionDigits: Math.min(decimals, 12),
    })
    return { value, label: value < 0 ? `−${digits}` : digits }
  })
}
