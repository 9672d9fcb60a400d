-- What the owner registers: contracts, transitions, who may hold what; and who holds which role.

create table kiff.contracts (
  domain text not null,
  action text not null,
  hash text not null,
  entity_type text not null,
  permission text not null,
  -- The states it is allowed in; null: any.
  from_states text[],
  -- The events it may cause: what an action emits, only that action can.
  emits text[] not null,
  -- Who may agree to it, and how many must; null: it never asks. `always`: no execution without.
  reviewers text,
  quorum int,
  always_asks boolean not null,
  -- Who may say what became of it when nobody knows; null: nobody.
  reconcilers text,
  -- The one that workers must have to judge by it; those before stay known, so that what they have opened can be completed.
  newest boolean not null,
  registered_at timestamptz not null default clock_timestamp(),
  primary key (domain, action, hash)
);
create unique index on kiff.contracts (domain, action) where newest;

-- Kinds of entity that we keep no state of.
create table kiff.stateless (
  domain text not null,
  entity_type text not null,
  primary key (domain, entity_type)
);

create table kiff.transitions (
  domain text not null,
  entity_type text not null,
  event_type text not null,
  from_state text,
  to_state text not null,
  -- The permission of those who may report it; null: nobody may, only an action emits it.
  reported_by text,
  unique nulls not distinct (domain, entity_type, event_type, from_state)
);

create table kiff.role_permissions (
  domain text not null,
  role text not null,
  permission text not null,
  primary key (domain, role, permission)
);

-- Who an actor is. One that is known to be no person can never review.
create table kiff.actors (
  actor text primary key,
  type text not null check (type in ('human', 'agent', 'service', 'system', 'external')),
  display_name text
);

create table kiff.memberships (
  domain text not null,
  actor text not null,
  role text not null,
  primary key (domain, actor, role)
);

-- Moves whenever anything above moves, so that a gate can tell that what it read still holds.
create table kiff.role_epochs (
  domain text primary key,
  epoch bigint not null default 1
);

create function kiff.permissions_of(p_domain text, p_actor text) returns setof text
language sql stable as $$
  select distinct permission from kiff.memberships join kiff.role_permissions using (domain, role)
  where domain = p_domain and actor = p_actor
$$;

create function kiff.may_review(p_domain text, p_actor text, p_permission text) returns boolean
language sql stable as $$
  select p_permission in (select kiff.permissions_of(p_domain, p_actor))
    and not exists (select from kiff.actors where actor = p_actor and type <> 'human')
$$;

create function kiff.holds(p_domain text, p_actor text, p_permission text) returns boolean
language sql stable as $$ select exists (select from kiff.permissions_of(p_domain, p_actor) held where held = p_permission) $$;

-- Owner only. Replaces a domain's registered rules with those of the code being deployed; old contract hashes stay known.
create function kiff.register_domain(p_domain text, p_rules jsonb) returns void
language plpgsql as $$
begin
  insert into kiff.role_epochs (domain) values (p_domain) on conflict (domain) do update set epoch = kiff.role_epochs.epoch + 1;
  update kiff.contracts set newest = false where domain = p_domain and newest;
  insert into kiff.contracts (domain, action, hash, entity_type, permission, from_states, emits, reviewers, quorum, always_asks, reconcilers, newest)
    select p_domain, action, hash, entity_type, permission, from_states, emits, reviewers, quorum, always_asks, reconcilers, true
    from jsonb_to_recordset(p_rules -> 'contracts') as c(action text, hash text, entity_type text, permission text, from_states text[],
      emits text[], reviewers text, quorum int, always_asks boolean, reconcilers text)
    on conflict (domain, action, hash) do update set newest = true;
  delete from kiff.stateless where domain = p_domain;
  insert into kiff.stateless select p_domain, value from jsonb_array_elements_text(p_rules -> 'stateless');
  delete from kiff.transitions where domain = p_domain;
  insert into kiff.transitions
    select distinct p_domain, entity_type, event_type, from_state, to_state, reported_by
    from jsonb_to_recordset(p_rules -> 'transitions') as t(entity_type text, event_type text, from_state text, to_state text, reported_by text);
  delete from kiff.role_permissions where domain = p_domain;
  insert into kiff.role_permissions
    select distinct p_domain, role, permission from jsonb_to_recordset(p_rules -> 'roles') as r(role text, permission text);
end $$;

-- Owner only. Grants or revokes one role, audited on the domain's roles chain. False when nothing changed. A role that the domain
-- no longer has can still be revoked, lest its holders come back with it.
create function kiff.change_membership(p_body text) returns boolean
language plpgsql as $$
declare b jsonb := p_body::jsonb; v_chain bigint := kiff.lock_chain('roles', b ->> 'domain'); v_rows int;
begin
  if b ->> 'kind' = 'role_granted' and not exists (select from kiff.role_permissions where domain = b ->> 'domain' and role = b ->> 'role') then
    raise exception 'domain % has no role %', b ->> 'domain', b ->> 'role' using errcode = 'no_data_found';
  end if;
  if b ->> 'kind' = 'role_granted' then
    insert into kiff.memberships (domain, actor, role) values (b ->> 'domain', b ->> 'actor', b ->> 'role') on conflict do nothing;
  elsif b ->> 'kind' = 'role_revoked' then
    delete from kiff.memberships where domain = b ->> 'domain' and actor = b ->> 'actor' and role = b ->> 'role';
  else
    raise exception 'unknown kind %', b ->> 'kind';
  end if;
  get diagnostics v_rows = row_count;
  if b ->> 'actor_type' is not null then
    insert into kiff.actors as known (actor, type, display_name) values (b ->> 'actor', b ->> 'actor_type', b ->> 'display_name')
      on conflict (actor) do update set type = excluded.type, display_name = excluded.display_name
      where (known.type, known.display_name) is distinct from (excluded.type, excluded.display_name);
    if found then v_rows := v_rows + 1; end if;
  end if;
  if v_rows = 0 then return false; end if;
  update kiff.role_epochs set epoch = epoch + 1 where domain = b ->> 'domain';
  perform kiff.append(v_chain, p_body, '{role_granted,role_revoked}');
  return true;
end $$;
