-- Have every statement of the session planned as those after `open` are: by index and in its order.
SELECT set_config('plan_cache_mode', 'force_generic_plan', false),
       set_config('enable_sort', 'off', false),
       set_config('enable_incremental_sort', 'off', false),
       set_config('enable_seqscan', 'off', false),
       set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false);
