set(policy_sources
  constraint.cc enforcement.cc kubernetes_text.cc label_selector.cc match.cc policy_set.cc review.cc review_document.cc schema.cc
  schema_node.cc schema_validate.cc template.cc template_modules.cc wildcard.cc)
