from hypothesis import strategies as st


def any_json(*likely, names=()):
    """Generate small JSON of any shape; `likely` texts and `names` of fields are those that a parser looks for."""
    single = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    keys = st.sampled_from(names) if names else st.text(max_size=10)
    return st.recursive(
        single | st.sampled_from(likely) if likely else single,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    )
