-- Lets the planner know young tables; whether there was need.
SELECT views.gather_statistics();
