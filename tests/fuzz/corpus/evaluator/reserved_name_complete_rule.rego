8package generated

p := object.union_n([{}])
p = __local0__ {
`
ast := {"Fragments": [{"Name": "subscription", "SelectionSet": [{"Alias": "subscription", "Arguments": [{"Name": "subscription", "Value": {"ExpectedTypeHasDefault": false, "Kind": 0, "Raw": "subscription"}}], "Directives": [{"Arguments": [{"Name": "subscription", "Value": {"ExpectedTypeHasDefault": false, "Kind": 7, "Raw": "subscription"}}], "Location": "", "Name": "subscription"}], "Name": "subscription"}], "TypeCondition": "Type"}], "Operations": [{"Name": "subscription", "Operation": "query", "SelectionSet": [{"Name": "subscription"}, {"SelectionSet": [{"Alias": "field", "Name": "field"}], "TypeCondition": "subscription"}]}]}
p {
    graphql.parse_query(gql) == ast
}
  bits.or(7.2, 42, __local1__)
  __local0__ = __local1__
}
p {
    graphql.parse_query(gql) == ast
}

p = x {
    ... on subscription { field }
  }
  fragment subscription on Type {
    subscription(subscription: $subscription)
      @subscription(subscription: subscription)
  }
`
ast := {"Fragments": [{"Name": "subscription", "SelectionSet": [{"Alias": "subscription", "Arguments": [{"Name": "subscription", "Value": {"ExpectedTypeHasDefault": false, "Kind": 0, "Raw": "subscription"}}], "Directives": [{"Arguments": [{"Name": "subscription", "Value": {"ExpectedTypeHasDefault": false, "Kind": 7, "Raw": "subscription"}}], "Location": "", "Name": "subscription"}], "Name": "subscription"}], "TypeCondition": "Type"}], "Operations": [{"Name": "subscription", "Operation": "query", "SelectionSet": [{"Name": "subscription"}, {"SelectionSet": [{"Alias": "field", "Name": "field"}], "TypeCondition": "subscription"}]}]}
}
#data
{}