set(policy_sources
  constraint.cc declared_index.cc enforcement.cc expansion.cc kubernetes_text.cc label_selector.cc manifest_file.cc match.cc policy_set.cc review.cc
  review_document.cc review_stats.cc review_trace.cc schema.cc schema_node.cc schema_validate.cc suite_inventory.cc suite_print.cc suite_read.cc
  suite_run.cc sync_requirements.cc template.cc template_modules.cc whole_numbers.cc wildcard.cc)
