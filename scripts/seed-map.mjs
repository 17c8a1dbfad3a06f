// Where each name of the original plan is: data, from which docs/seed-map.md is made (npm run docs) and which
// test/seed.test.ts checks against the sources.

/** @type {{ plan: string, kind: string, file: string, ours: string, note?: string }[]} */
export const SEED_MAP = [
  { plan: 'verbosity.py', kind: 'file', file: 'src/verbosity.ts', ours: 'VerbosityLevel' },
  {
    plan: 'VerbosityLevel.SIMPLE, VERBOSE',
    kind: 'enum',
    file: 'src/verbosity.ts',
    ours: 'VerbosityLevel',
    note: 'a const object with literal types',
  },
  { plan: 'events.py', kind: 'file', file: 'src/events.ts', ours: 'TrainingEvent' },
  {
    plan: 'TrainingEvent(phase, iteration, metrics, metadata)',
    kind: 'class',
    file: 'src/events.ts',
    ours: 'createTrainingEvent',
    note: 'frozen; metadata by reference',
  },
  { plan: 'TrainingEvent.get_metric(name, default)', kind: 'method', file: 'src/events.ts', ours: 'getMetric' },
  { plan: 'TrainingPhase, 11 phases', kind: 'enum', file: 'src/events.ts', ours: 'TrainingPhase' },
  { plan: 'callbacks.py', kind: 'file', file: 'src/callbacks.ts', ours: 'CallbackManager' },
  { plan: 'TrainingCallback.on_event', kind: 'protocol', file: 'src/callbacks.ts', ours: 'onEvent' },
  { plan: 'CallbackManager', kind: 'class', file: 'src/callbacks.ts', ours: 'CallbackManager' },
  { plan: 'metrics.py', kind: 'file', file: 'src/metrics/store.ts', ours: 'MetricsStore' },
  {
    plan: 'MetricsBuffer, 10K values',
    kind: 'class',
    file: 'src/metrics/buffer.ts',
    ours: 'DEFAULT_BUFFER_CAPACITY = 10_000',
  },
  {
    plan: 'lazy NumPy conversion, cached',
    kind: 'pattern',
    file: 'src/metrics/buffer.ts',
    ours: '#view',
    note: 'typed arrays',
  },
  { plan: 'MetricsStore.compute_trend(name)', kind: 'method', file: 'src/metrics/store.ts', ours: 'computeTrend' },
  { plan: 'training_monitor.py', kind: 'file', file: 'src/monitor.ts', ours: 'TrainingMonitor' },
  {
    plan: 'TrainingMonitor(verbosity, output_dir)',
    kind: 'class',
    file: 'src/monitor.ts',
    ours: 'TrainingMonitorOptions',
  },
  { plan: 'monitor_context()', kind: 'method', file: 'src/monitor.ts', ours: 'async run<', note: 'and await using' },
  { plan: 'register_callback(callback)', kind: 'method', file: 'src/monitor.ts', ours: 'registerCallback' },
  { plan: 'on_event(event)', kind: 'method', file: 'src/monitor.ts', ours: 'onEvent' },
  { plan: 'request_early_stop(reason)', kind: 'method', file: 'src/monitor.ts', ours: 'requestEarlyStop' },
  { plan: 'should_stop_early()', kind: 'method', file: 'src/monitor.ts', ours: 'shouldStopEarly' },
  { plan: 'get_metrics_store()', kind: 'method', file: 'src/monitor.ts', ours: 'getMetricsStore' },
  {
    plan: 'terminal_display.py',
    kind: 'file',
    file: 'src/outputs/terminal/terminal-display.ts',
    ours: 'TerminalDisplay',
  },
  {
    plan: 'TerminalDisplay.set_metrics_store(store)',
    kind: 'method',
    file: 'src/outputs/terminal/terminal-display.ts',
    ours: 'setMetricsStore',
  },
  {
    plan: 'display updates at most 2 Hz',
    kind: 'pattern',
    file: 'src/outputs/terminal/live-surface.ts',
    ours: 'PAINT_INTERVAL_MS = 500',
  },
  { plan: 'sample_comparator.py', kind: 'file', file: 'src/quality/sample-comparator.ts', ours: 'SampleComparator' },
  {
    plan: 'sample_size = 10',
    kind: 'default',
    file: 'src/quality/sample-comparator.ts',
    ours: 'options.sampleSize ?? 10',
  },
  {
    plan: 'comparison_frequency = 100',
    kind: 'default',
    file: 'src/quality/sample-comparator.ts',
    ours: 'options.comparisonFrequency ?? 100',
  },
  {
    plan: 'baseline_samples',
    kind: 'attribute',
    file: 'src/quality/sample-comparator.ts',
    ours: 'get baselineSamples',
  },
  {
    plan: 'comparison_history',
    kind: 'attribute',
    file: 'src/quality/sample-comparator.ts',
    ours: 'get comparisonHistory',
  },
  {
    plan: 'compute_diff(original, updated)',
    kind: 'method',
    file: 'src/quality/sample-comparator.ts',
    ours: 'computeDiff',
  },
  {
    plan: 'detect_catastrophic_forgetting()',
    kind: 'method',
    file: 'src/quality/sample-comparator.ts',
    ours: 'detectCatastrophicForgetting',
  },
  { plan: 'quality_analyzer.py', kind: 'file', file: 'src/decision/quality-analyzer.ts', ours: 'QualityAnalyzer' },
  {
    plan: 'reward_hack_threshold = 0.3',
    kind: 'default',
    file: 'src/decision/quality-analyzer.ts',
    ours: 'options.rewardHackThreshold ?? 0.3',
  },
  {
    plan: 'kl_threshold = 0.1',
    kind: 'default',
    file: 'src/decision/quality-analyzer.ts',
    ours: 'options.klThreshold ?? 0.1',
  },
  {
    plan: 'window_size = 50',
    kind: 'default',
    file: 'src/decision/quality-analyzer.ts',
    ours: 'options.windowSize ?? 50',
  },
  { plan: 'thresholds', kind: 'attribute', file: 'src/decision/quality-analyzer.ts', ours: 'readonly thresholds' },
  {
    plan: 'alert_history (iteration, reason, severity)',
    kind: 'attribute',
    file: 'src/decision/quality-analyzer.ts',
    ours: 'get alertHistory',
  },
  {
    plan: '_check_reward_hacking',
    kind: 'check',
    file: 'src/detectors/threshold/reward-hacking.ts',
    ours: 'rewardHackingRule',
  },
  {
    plan: '_check_kl_divergence',
    kind: 'check',
    file: 'src/detectors/threshold/kl-explosion.ts',
    ours: 'klThresholdRule',
  },
  { plan: '_check_coherence', kind: 'check', file: 'src/detectors/threshold/coherence-loss.ts', ours: 'coherenceRule' },
  {
    plan: 'value-reward mismatch',
    kind: 'check',
    file: 'src/detectors/threshold/value-reward-mismatch.ts',
    ours: 'valueMismatchRule',
  },
  { plan: '_trigger_alert(reason, event)', kind: 'method', file: 'src/decision/quality-analyzer.ts', ours: '#raise' },
  {
    plan: 'ppo_metrics_tracker.py',
    kind: 'file',
    file: 'src/quality/ppo-metrics-tracker.ts',
    ours: 'PPOMetricsTracker',
  },
  { plan: 'ppo_history', kind: 'attribute', file: 'src/quality/ppo-metrics-tracker.ts', ours: 'get ppoHistory' },
  { plan: 'get_ppo_summary()', kind: 'method', file: 'src/quality/ppo-metrics-tracker.ts', ours: 'getPPOSummary' },
  {
    plan: 'avg_clip_fraction, policy_improvement, value_accuracy',
    kind: 'keys',
    file: 'src/quality/ppo-metrics-tracker.ts',
    ours: 'avgClipFraction',
  },
  { plan: 'plot_manager.py', kind: 'file', file: 'src/outputs/plots/plot-manager.ts', ours: 'PlotManager' },
  { plan: 'figures', kind: 'attribute', file: 'src/outputs/plots/plot-manager.ts', ours: 'figures' },
  {
    plan: 'create_loss_plot, loss_curves.png',
    kind: 'method',
    file: 'src/outputs/plots/plot-manager.ts',
    ours: 'createLossPlot',
  },
  {
    plan: 'create_reward_plot',
    kind: 'method',
    file: 'src/outputs/plots/plot-manager.ts',
    ours: 'createRewardPlot',
    note: 'rewards.png',
  },
  {
    plan: 'create_kl_plot',
    kind: 'method',
    file: 'src/outputs/plots/plot-manager.ts',
    ours: 'createKlPlot',
    note: 'kl_divergence.png',
  },
  {
    plan: 'create_quality_plot',
    kind: 'method',
    file: 'src/outputs/plots/plot-manager.ts',
    ours: 'createQualityPlot',
    note: 'quality_metrics.png',
  },
  {
    plan: '5. PPO mechanics',
    kind: 'figure',
    file: 'src/outputs/plots/plot-manager.ts',
    ours: 'createPPOPlot',
    note: 'ppo_mechanics.png',
  },
  { plan: 'create_all_plots', kind: 'method', file: 'src/outputs/plots/plot-manager.ts', ours: 'createAllPlots' },
  {
    plan: 'report_generator.py',
    kind: 'file',
    file: 'src/outputs/report/report-generator.ts',
    ours: 'ReportGenerator',
  },
  {
    plan: 'generate_markdown_report, training_report.md',
    kind: 'method',
    file: 'src/outputs/report/report-generator.ts',
    ours: 'generateMarkdownReport',
  },
  {
    plan: 'generate_json_report, training_report.json',
    kind: 'method',
    file: 'src/outputs/report/report-generator.ts',
    ours: 'generateJsonReport',
  },
  {
    plan: 'training_report.html (beyond the plan)',
    kind: 'method',
    file: 'src/outputs/report/report-generator.ts',
    ours: 'generateHtmlReport',
  },
  { plan: 'ppo_trainer.py', kind: 'file', file: 'src/trainer/rlaif-trainer.ts', ours: 'RLAIFTrainer' },
  {
    plan: 'RLAIFTrainer(policy_model, ref_policy_model, value_model, reward_model, tokenizer, device, monitor)',
    kind: 'class',
    file: 'src/trainer/trainer-types.ts',
    ours: 'RLAIFTrainerOptions',
  },
  {
    plan: 'train(prompts, num_iterations = 100, batch_size = 4)',
    kind: 'method',
    file: 'src/trainer/rlaif-trainer.ts',
    ours: 'numIterations = 100, batchSize = 4',
  },
  {
    plan: 'train returns self.history',
    kind: 'return',
    file: 'src/trainer/trainer-types.ts',
    ours: 'readonly history',
    note: 'in TrainResult, with status and stop',
  },
  { plan: '_emit_event(event)', kind: 'method', file: 'src/trainer/rlaif-trainer.ts', ours: '#emit' },
  {
    plan: 'demos/constitutional_ai_real_training_demo.py',
    kind: 'file',
    file: 'src/demo/run-demo.ts',
    ours: 'runDemo',
  },
  {
    plan: '--verbose, --output-dir output/training_monitor',
    kind: 'option',
    file: 'src/cli/demo.ts',
    ours: "'output/training_monitor'",
  },
  { plan: '__init__.py', kind: 'file', file: 'src/index.ts', ours: 'TrainingMonitor' },
  { plan: '__init__ docstring with usage example', kind: 'document', file: 'src/index.ts', ours: '@example' },
  {
    plan: 'document all public APIs',
    kind: 'document',
    file: 'test/documented.test.ts',
    ours: 'has a docstring',
    note: 'counted',
  },
  { plan: 'overhead < 1% of training time', kind: 'benchmark', file: 'bench/overhead.mjs', ours: 'insidePercent' },
  { plan: '1000+ iterations, memory bounds', kind: 'benchmark', file: 'bench/memory.mjs', ours: 'liveRatio' },
  { plan: 'test_verbosity.py', kind: 'tests', file: 'test/seed.test.ts', ours: 'VerbosityLevel' },
  { plan: 'test_events.py', kind: 'tests', file: 'src/events.test.ts', ours: 'createTrainingEvent' },
  { plan: 'test_callbacks.py', kind: 'tests', file: 'src/callbacks.test.ts', ours: 'CallbackManager' },
  { plan: 'test_metrics.py', kind: 'tests', file: 'src/metrics/metrics.test.ts', ours: 'MetricsBuffer' },
  { plan: 'test_training_monitor.py', kind: 'tests', file: 'src/monitor.test.ts', ours: 'TrainingMonitor' },
  {
    plan: 'test_terminal_display.py',
    kind: 'tests',
    file: 'src/outputs/terminal/terminal-display.test.ts',
    ours: 'TerminalDisplay',
  },
  {
    plan: 'test_sample_comparator.py',
    kind: 'tests',
    file: 'src/quality/sample-comparator.test.ts',
    ours: 'SampleComparator',
  },
  {
    plan: 'test_quality_analyzer.py',
    kind: 'tests',
    file: 'src/decision/quality-analyzer.test.ts',
    ours: 'QualityAnalyzer',
  },
  {
    plan: 'test_ppo_metrics_tracker.py',
    kind: 'tests',
    file: 'src/quality/ppo-metrics-tracker.test.ts',
    ours: 'PPOMetricsTracker',
  },
  { plan: 'test_plot_manager.py', kind: 'tests', file: 'src/outputs/plots/plot-manager.test.ts', ours: 'PlotManager' },
  {
    plan: 'test_report_generator.py',
    kind: 'tests',
    file: 'src/outputs/report/report-generator.test.ts',
    ours: 'ReportGenerator',
  },
  { plan: 'test_integration.py', kind: 'tests', file: 'test/integration.test.ts', ours: 'end to end' },
]

/** The text of docs/seed-map.md. */
export function seedMapMarkdown() {
  const cell = (text) => text.replaceAll('|', '\\|')
  const rows = SEED_MAP.map(
    ({ plan, kind, file, ours, note }) =>
      `| \`${cell(plan)}\` | ${kind} | [${file}](../${file}) | \`${cell(ours)}\`${note ? ` (${cell(note)})` : ''} |`,
  )
  return `# Where the names of the original plan are

Made by \`npm run docs\` from \`scripts/seed-map.mjs\`; a test holds that every name is where this says.

| Plan | What | File | Ours |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}
