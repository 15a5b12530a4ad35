# Plan and evaluation.
set(rego_engine_sources
  access_path.cc
  body_planner.cc
  engine.cc
  error_analysis.cc
  index_only.cc
  evaluate_document.cc
  evaluate_inventory.cc
  evaluate_procedure.cc
  evaluator.cc
  kept_results.cc
  planner.cc
  reference_planner.cc
  scratch.cc
)
