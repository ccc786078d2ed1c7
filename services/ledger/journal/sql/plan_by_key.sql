-- Have every statement of the session planned once and by index: each has one good plan, whatever
-- the size of tables. Left alone, the planner finds others while they are empty, and keeps those
-- while they fill.
SELECT set_config('plan_cache_mode', 'force_generic_plan', false),
       set_config('enable_seqscan', 'off', false),
       set_config('enable_bitmapscan', 'off', false),
       set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false),
       set_config('enable_material', 'off', false),
       set_config('enable_sort', 'off', false)
